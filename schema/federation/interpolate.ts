/** `${NAME}` or `${NAME:-used where NAME is not set or empty}`; `$${` is a plain `${`. */
const REFERENCE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** The text with each reference replaced by the environment's value, and the names that are not set. */
export function interpolate(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const replaced = text.replace(REFERENCE, (all, doubled: string, name: string, fallback: string | undefined) => {
    if (doubled !== '') return all.slice(1);
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    if (fallback === undefined) missing.push(name);
    return fallback ?? '';
  });
  return { text: replaced, missing };
}
