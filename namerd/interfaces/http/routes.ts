/** Which path of the HTTP controller is answered by what. All of it stands below `/api/1`. */
import type { ControlHandler, Router } from '../../../src/control-http/index.ts';
import type { InterfaceContext } from '../interface.ts';
import { Renderings } from './answers.ts';
import { Dtabs } from './dtabs.ts';
import { history } from './history.ts';
import { Names } from './names.ts';
import { receiptsOf } from './receipts.ts';

const API = '/api/1/';

export interface ControllerRoutes {
  readonly route: Router;
  close(): void;
}

export function controllerRoutes(context: InterfaceContext): ControllerRoutes {
  const renderings = new Renderings();
  const dtabs = new Dtabs(context.storage, context.namers, renderings);
  const names = new Names(context.namespaces, context.namers, renderings);

  /** `rest` is what follows the endpoint's name and a slash: a namespace, escapes and all; undefined when nothing does. */
  const handlerOf = (endpoint: string, rest: string | undefined): ControlHandler | undefined => {
    switch (endpoint) {
      case 'dtabs':
        return rest === undefined ? dtabs.list : (request) => dtabs.one(request, rest);
      case 'bind':
      case 'addr':
      case 'resolve':
        return (request) => names.about(request, rest, names[endpoint]);
      case 'delegate':
        return rest === undefined ? names.delegator : (request) => names.about(request, rest, names.delegate);
      case 'history':
        return rest === undefined ? undefined : (request) => history(context.storage, request, rest);
      case 'receipts':
        return rest === undefined
          ? undefined
          : (request) => receiptsOf(context.storage, context.receipts, request, rest);
      case 'bound-names':
        return rest === undefined ? names.boundNames : undefined;
      default:
        return undefined;
    }
  };
  return {
    route: (path) => {
      if (!path.startsWith(API)) return undefined;
      const [, endpoint = '', rest = ''] = /^([^/]*)(?:\/(.*))?$/s.exec(path.slice(API.length)) ?? [];
      return handlerOf(endpoint, rest === '' ? undefined : rest);
    },
    close: () => renderings.close(),
  };
}
