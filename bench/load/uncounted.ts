/**
 * Loaded into a Signpost that runs from source, by `--import`: counters, gauges and stats keep nothing, so that the difference to one
 * without this is what counting and recording cost.
 */
import { Cells } from '../../src/metrics/handles.ts';
import { MostlyZeroStat, Stat } from '../../src/metrics/stat.ts';

const nothing = (): void => {};

Object.assign(Cells.prototype, { set: nothing, add: nothing, increment: nothing, decrement: nothing });
Object.assign(Stat.prototype, { record: nothing });
Object.assign(MostlyZeroStat.prototype, { record: nothing });
