/** The endpoints of namerd's admin server (reference/admin-http.md section 4) beside those that every program has. */
import { type CommonSources, commonEndpoints, indexed } from '../../src/admin/common.ts';
import { showValue } from '../../src/admin/config-json.ts';
import { delegatorHandler } from '../../src/admin/delegator.ts';
import type { Frame } from '../../src/admin/page.ts';
import { type ControlHandler, prettyJson } from '../../src/control-http/index.ts';
import { Dtab } from '../../src/naming/index.ts';
import { asMap } from '../../src/program/config-tree.ts';
import type { ServingInterface } from '../interfaces/interface.ts';
import type { Namespaces } from '../namespaces.ts';
import type { MeteredStorage } from '../storage/metered.ts';
import { namespacePage } from './namespace-page.ts';
import { namespacesPage } from './namespaces-page.ts';

export interface NamerdSources extends CommonSources {
  readonly namespaces: Namespaces;
  readonly storage: MeteredStorage;
  readonly interfaces: () => readonly ServingInterface[];
}

export function namerdEndpoints(sources: NamerdSources): ReadonlyMap<string, ControlHandler> {
  const { version, namespaces, storage, interfaces } = sources;
  const frame: Frame = {
    program: 'namerd',
    version,
    pages: [
      ['', 'namespaces'],
      ['logging', 'logging'],
      ['admin', 'endpoints'],
    ],
  };
  return indexed([
    ...commonEndpoints(sources, { frame, showConfig: showNamerdConfig, workers: () => [] }),
    ['/', namespacesPage(frame, storage, interfaces)],
    ['/dtab/', namespacePage(frame, storage)],
    // By the dtab that is asked with alone, whatever namespace it names.
    ['/dtab/delegator.json', delegatorHandler(({ dtab, path }) => namespaces.withoutNamespace.delegate?.(dtab, path))],
    [`/storage/${storage.state().kind}.json`, () => prettyJson(200, storage.state())],
    ['/interfaces.json', () => prettyJson(200, interfaces().map(showInterface))],
  ]);
}

function showInterface({ kind, address, running }: ServingInterface): object {
  return { kind, ip: address.host, port: address.port, ...(running.state?.() as object | undefined) };
}

/** In the original's order, whatever the file's. */
function showNamerdConfig(config: object): object {
  const { admin, storage, namers, interfaces, ...others } = showValue('', config) as Record<string, unknown>;
  const { namespaces } = asMap(asMap(config)['storage']);
  // Their keys are names of namespaces, which mean nothing here.
  const dtabs = Object.entries(asMap(namespaces)).map(([name, dtab]) => [name, Dtab.parse(String(dtab)).show()]);
  const shown = namespaces === undefined ? storage : { ...(storage as object), namespaces: Object.fromEntries(dtabs) };
  return { admin, storage: shown, namers, interfaces, ...others };
}
