import { reasonOf, refusal, refusalOf } from './failure.ts';

/**
 * What the activity of an order answers.
 *
 * @throws ApplicationFailure with what the activity said, which fails the update and leaves the workflow as it is:
 * `ISTHMUS_REFUSED` where what was asked does not hold, else `ISTHMUS_FAILED`.
 */
export async function told<Result>(order: Promise<Result>): Promise<Result> {
  try {
    return await order;
  } catch (error) {
    const refused = refusalOf(error);
    if (refused !== undefined) throw refusal(refused, 'ISTHMUS_REFUSED');
    throw refusal(reasonOf(error), 'ISTHMUS_FAILED');
  }
}
