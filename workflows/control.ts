import {
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import {
  type Carried,
  type ControlState,
  PAUSE,
  type Pause,
  type PauseRequest,
  PROGRESS,
  type Progress,
  RESUME,
} from '../schema/inputs/control.ts';
import type { FeedStanding } from '../schema/inputs/feed.ts';
import { formatDetails } from './details.ts';
import { isGiveUp, reasonOf, refusal } from './failure.ts';
import { publishState } from './search-attributes.ts';

const pauseUpdate = defineUpdate<Progress, [PauseRequest]>(PAUSE);
const resumeUpdate = defineUpdate<Progress, []>(RESUME);
const progressQuery = defineQuery<Progress>(PROGRESS);

/**
 * The operator's hold on a workflow, in five modes. `running`: work is under way. `waiting`: none is, and
 * `doing` says for what. `approval`: none is until somebody decides. `paused`: an operator stopped it; the work under way was cancelled and is done again
 * from its start after `resume`. `alarm`: as `paused`, but an error that no retry mended stopped it.
 * Modes change in `#show` alone, so that search attribute, details and query never disagree.
 */
export class Control {
  readonly #title: string;
  readonly #totals: Record<string, number>;
  #pause: Pause | undefined;
  #turns: number;
  #state: ControlState = 'waiting';
  #doing = 'starting';
  #note: string | undefined;
  #feed: FeedStanding | undefined;
  #work: CancellationScope | undefined;

  constructor(
    about: { readonly federation: string; readonly source: string; readonly title: string },
    carried?: Carried,
  ) {
    this.#title = about.title;
    this.#totals = { ...carried?.totals };
    this.#pause = carried?.pause;
    this.#turns = carried?.turns ?? 0;
    this.#note = carried?.note;
    this.#feed = carried?.feed;
    publishState(about.federation, about.source, this.#pause === undefined ? 'running' : this.#stopped());
    setHandler(progressQuery, () => this.progress(), { description: 'Where this workflow stands.' });
    setHandler(pauseUpdate, (request) => this.#pauseFor(request), {
      description: 'Stops it: {"reason": "..."}, which is kept and shown. Returns once nothing is under way.',
      validator: (request: PauseRequest | undefined) => {
        const reason = request?.reason;
        if (typeof reason !== 'string' || reason.trim() === '') {
          throw refusal('A pause needs a reason: {"reason": "..."}.', 'ISTHMUS_USAGE');
        }
      },
    });
    setHandler(resumeUpdate, () => this.#resume(), {
      description: 'Goes on, after a pause or an alarm. It takes no input.',
    });
    this.#show(this.#pause === undefined ? 'waiting' : this.#stopped(), 'starting');
  }

  get paused(): boolean {
    return this.#pause !== undefined;
  }

  get feed(): FeedStanding | undefined {
    return this.#feed;
  }

  get carried(): Carried {
    const totals = { ...this.#totals };
    return { pause: this.#pause, turns: this.#turns, totals, note: this.#note, feed: this.#feed };
  }

  progress(): Progress {
    const { pause, turns, totals, feed } = this.carried;
    return { state: this.#state, pause, doing: this.#doing, turns, totals, feed };
  }

  /**
   * Does one piece of work: waits while paused, starts again after a pause, and turns an error into an alarm
   * that waits for `resume`.
   *
   * @throws where the workflow is cancelled; with `giveUp`, also an error whose consequence is to give up.
   */
  async attempt<Result>(
    doing: string,
    work: () => Promise<Result>,
    options: { readonly giveUp?: boolean } = {},
  ): Promise<Result> {
    for (;;) {
      await this.resumed(doing);
      this.#show('running', doing);
      try {
        return await CancellationScope.cancellable(() => {
          this.#work = CancellationScope.current();
          return work();
        });
      } catch (error) {
        if (isCancellation(error)) {
          // Not the pause is asked: it may be over before the work that it cancelled has ended.
          if (CancellationScope.current().consideredCancelled) throw error;
          continue;
        }
        const reason = reasonOf(error);
        if (options.giveUp === true && isGiveUp(error)) throw refusal(reason, 'ISTHMUS_GIVEN_UP');
        this.alarm(reason);
      } finally {
        this.#work = undefined;
      }
    }
  }

  /** Returns at once where it is not paused. */
  async resumed(doing: string): Promise<void> {
    if (this.#pause === undefined) return;
    this.#show(this.#stopped(), doing);
    await condition(() => this.#pause === undefined);
  }

  /** Counts a finished piece of work and keeps a line about it for people. */
  count(counts: Readonly<Record<string, number>>, note?: string): void {
    this.#turns += 1;
    this.#note = note;
    for (const [name, count] of Object.entries(counts)) this.#totals[name] = (this.#totals[name] ?? 0) + count;
    this.#show(this.#state, this.#doing);
  }

  /** Stops in alarm after the piece of work at hand: for what it found and could not mend. */
  alarm(reason: string): void {
    log.error('This workflow needs an operator.', { reason });
    this.#pause = { by: 'error', reason, since: Date.now() };
    this.#show(this.#stopped(), this.#doing);
  }

  /** Where it stands in the feed, and a line for people where there is a new one. */
  stands(feed: FeedStanding, note = this.#note): void {
    this.#feed = feed;
    this.#note = note;
    this.#show(this.#state, this.#doing);
  }

  waiting(why: string): void {
    this.#show('waiting', why);
  }

  /** Stands still until somebody decides; `note` says about what. */
  approval(why: string, note: string): void {
    this.#note = note;
    this.#show('approval', why);
  }

  /** How far the work at hand is, with a note about it. */
  reached(doing: string, note: string): void {
    this.#note = note;
    this.#show(this.#state, doing);
  }

  done(what: string): void {
    this.#show('done', what);
  }

  async #pauseFor({ reason }: PauseRequest): Promise<Progress> {
    this.#pause = { by: 'operator', reason: reason.trim(), since: Date.now() };
    this.#show(this.#stopped(), this.#doing);
    const work = this.#work;
    work?.cancel();
    // Resumed meanwhile, the next piece of work may have begun: that one is not waited for.
    await condition(() => this.#work === undefined || this.#work !== work);
    return this.progress();
  }

  #resume(): Progress {
    this.#pause = undefined;
    this.#show('running', this.#doing);
    return this.progress();
  }

  #stopped(): ControlState {
    return this.#pause?.by === 'error' ? 'alarm' : 'paused';
  }

  #show(state: ControlState, doing: string): void {
    const before = this.#state;
    this.#state = this.#pause === undefined || state === 'done' ? state : this.#stopped();
    this.#doing = doing;
    if (before !== this.#state) publishState(undefined, undefined, this.#state);
    setCurrentDetails(formatDetails(this.#title, this.progress(), this.#note));
  }
}
