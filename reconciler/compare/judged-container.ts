import type { ContainerRow } from '../../schema/index/containers.ts';
import type { NameRange } from '../scope/key-set.ts';

/** A container, and the names of it that a run may judge. */
export interface JudgedContainer extends ContainerRow {
  readonly name: string;
  readonly ranges: readonly NameRange[];
}
