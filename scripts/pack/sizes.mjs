// What the parts of an archive weigh, and whether that is too much.
const MIB = 2 ** 20;

/** A table of the parts, as archive.py gives them. */
export function sizes(parts) {
  const rows = [...parts, { name: "all", ...total(parts) }];
  const line = ({ name, files, bytes, packed }) =>
    `${name.padEnd(30)} ${String(files).padStart(6)} files ${mib(bytes).padStart(7)} MiB ${mib(packed).padStart(6)} MiB packed\n`;
  return rows.map(line).join("");
}

/** The line that refuses an archive of more than `most` MiB; what was added by --with does not count. */
export function tooLarge(parts, most) {
  const counted = parts.filter(({ name }) => !name.startsWith("--with "));
  const { packed } = total(counted);
  if (packed <= most * MIB) return undefined;
  const [largest] = counted.toSorted((a, b) => b.packed - a.packed);
  return (
    `the archive would have ${mib(packed)} MiB, of which ${mib(largest.packed)} are ${largest.name}. Expected: ${most} at most. ` +
    "Name one --python-version, leave out what the machine has by --without scipy or --without numpy, or allow more by --most MIB."
  );
}

const mib = (bytes) => (bytes / MIB).toFixed(1);

function total(parts) {
  const sum = (key) => parts.reduce((all, part) => all + part[key], 0);
  return { files: sum("files"), bytes: sum("bytes"), packed: sum("packed") };
}
