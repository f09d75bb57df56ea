/** What two settings say otherwise, for a person. */

const MOST_TOLD = 4;

type Settings = Readonly<Record<string, unknown>>;

/** As `epochs: 2 there, 3 here`, joined; "" where nothing differs. `there`: as it was read back from JSON. */
export function differences(there: unknown, here: unknown): string {
  const all = differing(there, JSON.parse(JSON.stringify(here)), []);
  const more = all.length > MOST_TOLD ? [`and ${all.length - MOST_TOLD} more`] : [];
  return [...all.slice(0, MOST_TOLD), ...more].join("; ");
}

function differing(there: unknown, here: unknown, path: readonly string[]): string[] {
  if (JSON.stringify(there) === JSON.stringify(here)) return [];
  if (isFile(there) && isFile(here) && there.path === here.path) return [`${here.path} has changed`];
  if (!isMap(there) || !isMap(here)) return [`${path.join(".")}: ${shown(there)} there, ${shown(here)} here`];
  const keys = new Set([...Object.keys(there), ...Object.keys(here)]);
  return [...keys].flatMap((key) => differing(there[key], here[key], [...path, key]));
}

/** A file with its hash: two hashes tell a person nothing. */
const isFile = (value: unknown): value is Settings =>
  isMap(value) && typeof value.path === "string" && typeof value.sha256 === "string";

const isMap = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (value === undefined ? "not said" : JSON.stringify(value));
