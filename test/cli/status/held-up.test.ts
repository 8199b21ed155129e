import { describe, expect, it } from 'vitest';
import { HeldUp } from '../../../cli/status/held-up.ts';
import type { WorkflowStatus } from '../../../cli/status/workflow-status.ts';

const AT = '2026-11-21T12:00:00.000Z';
const loop = (source: string, more: Partial<WorkflowStatus> = {}): WorkflowStatus => ({
  ...{ id: `x/${source}`, source, running: true, state: 'running', doing: null, reason: null, since: null },
  ...more,
});
const paused = (source: string, reason: string, since = AT) => loop(source, { state: 'paused', reason, since });
const MOVING = ['feed: 512 bytes of log/00/a.avro are not applied', 'stub:vast: 3 stubs are behind'];

describe('status --wait', () => {
  it('says once of a loop that what is on its way waits for, that it is paused, why, and that waiting cannot end', () => {
    const heldUp = new HeldUp();
    const loops = [paused('feed', 'storage moves'), loop('stub:vast'), paused('look', 'not asked for')];
    expect(heldUp.tell(MOVING, loops)).toEqual([
      `feed is paused by an operator since ${AT} (storage moves). This cannot end before \`isthmus resume feed\`.`,
    ]);
    expect(heldUp.tell(MOVING, loops)).toEqual([]);
  });

  it('says it anew of another pause, and of a loop that has stopped in alarm', () => {
    const heldUp = new HeldUp();
    heldUp.tell(MOVING, [paused('feed', 'storage moves')]);
    const later = '2026-11-21T13:00:00.000Z';
    expect(heldUp.tell(MOVING, [paused('feed', 'again', later)]).join()).toContain(`since ${later} (again)`);
    const alarm = loop('stub:vast', { state: 'alarm', reason: 'disk \u001b[31mfull', since: AT });
    const [said] = heldUp.tell(MOVING, [alarm]);
    expect(said).toContain(`stub:vast has stopped in alarm since ${AT} (disk`);
    expect(said).toContain('`isthmus resume stub:vast`');
    expect(said).not.toContain('\u001b');
  });

  it('says nothing where all loops run, where nothing is on its way, and where Temporal does not answer', () => {
    const heldUp = new HeldUp();
    expect(heldUp.tell(MOVING, [loop('feed'), loop('stub:vast')])).toEqual([]);
    expect(heldUp.tell([], [paused('feed', 'storage moves')])).toEqual([]);
    expect(heldUp.tell(MOVING, undefined)).toEqual([]);
  });
});
