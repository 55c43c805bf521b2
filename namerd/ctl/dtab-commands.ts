/** The words of the commands below `dtab`. */
import { CHANGE_FLAGS } from './change.ts';
import type { Argument, Command } from './command.ts';
import { OUTPUT_FLAG } from './output.ts';

const NAME: Argument = { shown: '[name]', complete: 'namespace' };
const FILE: Argument = { shown: '[file]', complete: 'file' };

const list: Command = {
  name: 'list',
  aliases: ['ls'],
  isOriginal: true,
  summary: 'List the names of all dtabs',
  args: [],
  wrongArgs: 'list does not take arguments',
  load: async () => (await import('./original.ts')).list,
};

const get: Command = {
  name: 'get',
  aliases: ['cat'],
  isOriginal: true,
  summary: 'Show a dtab and its version',
  args: [NAME],
  wrongArgs: 'get requires a name argument',
  flags: [{ name: 'pretty', type: 'bool', default: true, summary: 'an entry a line, arrows below each other' }],
  load: async () => (await import('./original.ts')).get,
};

const create: Command = {
  name: 'create',
  aliases: ['new'],
  isOriginal: true,
  summary: 'Create a dtab from a file, or from stdin (-)',
  args: [NAME, FILE],
  wrongArgs: 'create requires a name and file path',
  flags: CHANGE_FLAGS,
  load: async () => (await import('./original.ts')).create,
};

const update: Command = {
  name: 'update',
  aliases: ['up'],
  isOriginal: true,
  summary: 'Replace a dtab by a file, or by stdin (-)',
  args: [NAME, FILE],
  wrongArgs: 'update requires a name and file path',
  flags: [...CHANGE_FLAGS, { name: 'version', type: 'text', summary: 'only if the dtab is still at this version' }],
  load: async () => (await import('./original.ts')).update,
};

const remove: Command = {
  name: 'delete',
  aliases: ['del', 'rm'],
  isOriginal: true,
  summary: 'Delete a dtab',
  args: [NAME],
  wrongArgs: 'delete requires one argument',
  flags: CHANGE_FLAGS,
  load: async () => (await import('./original.ts')).remove,
};

export const dtab: Command = {
  name: 'dtab',
  summary: 'Read, check and change dtabs',
  persistentFlags: [{ name: 'json', type: 'bool', summary: 'dtabs in JSON instead of text' }, OUTPUT_FLAG],
  commands: [list, get, create, update, remove],
};
