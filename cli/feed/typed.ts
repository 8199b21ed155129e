import type { Words } from '../../schema/inputs/check.ts';

/**
 * The words of a command line: a field is named as the option or the argument that gives it.
 *
 * @param args an example of what follows the command.
 * @param names of the fields whose option is not called as they are.
 */
export function typed(command: string, args: string, names: Readonly<Record<string, string>> = {}): Words {
  const what = `isthmus ${command}`;
  return { what, example: `${what} ${args}`, name: (field) => names[field] ?? `--${field}` };
}
