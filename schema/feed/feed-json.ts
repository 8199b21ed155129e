import type { z } from 'zod';
import { problemsOf } from '../expected.ts';
import { FeedCorruptError } from './feed-error.ts';

/** Parses a JSON file of the feed and checks what is used of it. */
export function parseFeedJson<T extends z.ZodType>(path: string, text: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new FeedCorruptError(path, 0, 'expected JSON', error);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new FeedCorruptError(path, 0, problemsOf(result.error, value).join('; '), result.error);
  return result.data;
}
