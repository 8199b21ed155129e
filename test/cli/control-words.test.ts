import { describe, expect, it } from 'vitest';
import { choose, heldBy } from '../../cli/commands/control.ts';
import { loopsOf } from '../../cli/worker/ensure-workflows.ts';
import { federationSchema } from '../../schema/federation/federation.ts';

const serviceBus = { queue: 'q', connectionString: 'Endpoint=sb://x' };
const eventHubs = { eventHub: 'h', connectionString: 'Endpoint=sb://x' };

const federation = (sources: object) =>
  federationSchema.parse({
    name: 'test',
    account: { name: 'lake' },
    sources,
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

const chosen = (sources: object, source: string) =>
  choose(heldBy(federation(sources)), { source, all: false }).map((held) => held.source);

describe('what pause and resume name', () => {
  it('covers triggers of every transport by one word, and each by its own', () => {
    const both = { serviceBus, eventHubs };
    for (const word of ['trigger', 'triggers']) expect(chosen(both, word)).toEqual(['trigger', 'event-hubs']);
    expect(chosen(both, 'service-bus')).toEqual(['trigger']);
    expect(chosen(both, 'event-hubs')).toEqual(['event-hubs']);
    expect(chosen({ eventHubs }, 'triggers')).toEqual(['event-hubs']);
    expect(chosen({ serviceBus }, 'trigger')).toEqual(['trigger']);
  });

  it('refuses a transport that the federation has not', () => {
    expect(() => chosen({ serviceBus }, 'event-hubs')).toThrow("There is no source 'event-hubs'");
    expect(() => chosen({ eventHubs }, 'service-bus')).toThrow("There is no source 'service-bus'");
    expect(() => chosen({}, 'triggers')).toThrow("There is no source 'triggers'");
  });

  it('is one source or all of them, and whoever names both is told so', () => {
    const both = () => choose(heldBy(federation({ serviceBus })), { source: 'trigger', all: true });
    expect(both).toThrow("--all takes every source, and 'trigger' names one: give one of the two.");
    const none = () => choose(heldBy(federation({ serviceBus })), { source: undefined, all: false });
    expect(none).toThrow('Name one source, or pass --all. The sources: ');
  });

  it('is told of whoever names another: every word that this federation knows, and no other', () => {
    const told = (sources: object) => () => chosen(sources, 'sb');
    const rest = 'stub:vast, replay, inventory, maintenance, sink:vast.';
    expect(told({ serviceBus })).toThrow(`The sources: trigger, service-bus, look, ${rest}`);
    expect(told({ eventHubs })).toThrow(`The sources: trigger, look, event-hubs, ${rest}`);
    expect(told({ serviceBus, eventHubs })).toThrow(`The sources: trigger, service-bus, look, event-hubs, ${rest}`);
    expect(told({})).toThrow(`The sources: look, ${rest}`);
  });

  it('is one loop for each transport, with a workflow and a search attribute of its own', () => {
    const loops = loopsOf(federation({ serviceBus, eventHubs })).filter(({ type }) => type.endsWith('Intake'));
    expect(loops.map(({ id, source, type }) => [type, id, source])).toEqual([
      ['triggerIntake', 'trigger-intake/lake', 'trigger'],
      ['eventHubIntake', 'event-hub-intake/lake', 'event-hubs'],
    ]);
  });
});
