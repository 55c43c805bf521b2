/** The commands of the original: `dtab list`, `get`, `create`, `update`, `delete`. */
import { changeOf } from './change.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { compact, goJson, prettyLines } from './dentries.ts';
import { readDtabFile } from './dtab-file.ts';
import { ExitCode } from './failure.ts';
import { readInput } from './files.ts';
import { about, writing } from './hints.ts';
import { printJson, printLine, wantsJson, wantsJsonResult } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { readConnection } from './settings.ts';
import { endingOf } from './written.ts';

export async function list({ flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const names = await (await controllerOf(flags)).list();
  printLine(asJson ? goJson(names) : names.join('\n'));
  return ExitCode.done;
}

export async function get({ args: [name = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const controller = await controllerOf(flags);
  const { version, entries } = await about(controller, name, controller.get(name));
  if (asJson) printLine(goJson({ version, dtab: entries }));
  else if (!flags.isOn('pretty')) printLine(compact(entries));
  else
    for (const line of [...(version === '' ? [] : [`# version ${version}`]), ...prettyLines(entries)]) printLine(line);
  return ExitCode.done;
}

export async function create({ args: [namespace = '', path = ''], flags }: Invocation): Promise<number> {
  const ending = await endingOf(flags, wantsJsonResult(flags));
  const controller = await controllerOf(flags);
  const text = await readInput(path);
  const dtab = readDtabFile(text);
  const sent = { namespace, path, text, dtab };
  const result = await writing(controller, sent, controller.create(namespace, dtab, changeOf(flags)));
  return await ending(controller, namespace, 'Created', result);
}

export async function update({ args: [namespace = '', path = ''], flags }: Invocation): Promise<number> {
  const ending = await endingOf(flags, wantsJsonResult(flags));
  const controller = await controllerOf(flags);
  const text = await readInput(path);
  const dtab = readDtabFile(text);
  const version = dtab.version ?? flags.text('version');
  const sent = { namespace, path, text, dtab, version };
  const result = await writing(controller, sent, controller.update(namespace, dtab, changeOf(flags), version));
  return await ending(controller, namespace, 'Updated', result);
}

export async function remove({ args: [namespace = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJsonResult(flags);
  const controller = await controllerOf(flags);
  await about(controller, namespace, controller.delete(namespace, changeOf(flags)));
  if (asJson) printJson({ namespace });
  else printLine(`Deleted ${namespace}`);
  return ExitCode.done;
}

async function controllerOf(flags: ParsedFlags): Promise<Controller> {
  return new Controller(await readConnection(flags));
}
