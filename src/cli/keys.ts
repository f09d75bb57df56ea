import { makeKeySet, publicKeyOf } from "../backend/credentials.js";
import { quoted } from "../process/shell-words.js";
import { writeKeyFiles } from "../record/key-files.js";
import { asCalled, exampleAsCalled } from "./called.js";
import { EXIT } from "./exit-codes.js";

/** `ibatch keys`: returns the exit code. */
export function keys(directory: string): number {
  const made = writeKeyFiles(directory, makeKeySet(), publicKeyOf);
  process.stdout.write(asCalled(told(directory, whatWasMade(made))));
  return EXIT.done;
}

/** Of two pairs. */
const ALL = 4;

function whatWasMade(made: readonly string[]): string {
  if (made.length === ALL) return "made";
  return made.length === 0 ? "kept as they were" : `made: ${made.join(", ")}; the others kept as they were`;
}

const told = (directory: string, all: string): string => `keys in ${directory}: ${all}

server.key_secret  for the backend's machine, and nobody else
client.key         for the backend's machine: it lets in whose *.key lie beside server.key_secret
client.key_secret  for the machine where \`ibatch run\` is given, and nobody else
server.key         for that machine, too

there:  python -m py_backend --listen tcp://0.0.0.0:5555 --keys ${quoted(directory)}
here:   ${exampleAsCalled(`ibatch run CONFIG --backend tcp://HOST:5555 --keys ${quoted(directory)}`)}
`;
