import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../../schema/events/envelope.ts';
import { parseManifest as parseFeedManifest } from '../../schema/feed/manifest.ts';
import { parseSegments } from '../../schema/feed/segments.ts';
import { parseManifest } from '../../schema/inventory/manifest.ts';

describe('what is wrong with JSON of Azure', () => {
  it('is said of an event by field, with what was expected and found, however long that is', () => {
    const event = { eventType: 'x'.repeat(9), eventTime: 5, subject: null, topic: '', data: [] };
    expect(() => readEnvelope(event)).toThrow(
      'id: expected a text, found nothing; eventTime: expected a text, found 5; subject: expected a text, found null; ' +
        'topic: expected a text that is not empty, found ""; data: expected an object, found a list',
    );
    expect(() => readEnvelope({ ...event, id: 'i', eventTime: 't', subject: 7 ** 70, topic: 't', data: {} })).toThrow(
      /^subject: expected a text, found \d.{1,60}$/,
    );
  });

  it('is said of files of the feed and of an inventory manifest alike', () => {
    expect(() => parseSegments('{"lastConsumable": "yesterday"}')).toThrow(
      'lastConsumable: expected a time of ISO 8601 with its zone, found "yesterday"',
    );
    expect(() => parseFeedManifest('m.json', '[]')).toThrow('expected an object, found a list');
    expect(() => parseManifest('5')).toThrow('no inventory manifest: expected an object, found 5');
  });
});
