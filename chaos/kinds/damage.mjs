// Checkpoints are damaged between two commands: they are named, and the one before is used, or none.
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DAMAGES, finishedIn } from "../damages.mjs";
import { reached } from "../moments.mjs";
import { Random } from "../random.mjs";

const ARMS = ["weighted", "own", "rescored"];
/** Each arm's run is killed when it has two. */
const IN_A_CASE = 4;
/** So that a case has several kinds; it has no divisor in common with their number. */
const STRIDE = 5;
/** Directories with killed runs are made so many times, and each is damaged for many cases. */
const BASES = 3;

export function damageCases({ seed, quick }) {
  let number = seed;
  return Array.from({ length: quick ? 1 : 54 }, (_, at) => {
    const damages = Array.from({ length: IN_A_CASE }, () => DAMAGES[(STRIDE * number++) % DAMAGES.length]);
    const base = `base-${at % BASES}`;
    return {
      name: `damage-${at}`,
      what: damages.map(({ name }) => name).join(", "),
      planned: damages.map(row),
      run: async (scene, shared) => {
        const made = await shared(base, (killed) => killEachRun(killed, new Random(seed, base)));
        scene.faults.push(...made.faults);
        if (made.faults.length > 0) return;
        cpSync(made.out, scene.out, { recursive: true });
        await damageAndGoOn(scene, damages, new Random(seed, "damage", at));
      },
    };
  });
}

const row = ({ name }) => `checkpoint damaged: ${name}`;

async function killEachRun(scene, random) {
  const kept = (arm) => join(scene.folder, "killed", arm);
  for (const [at, arm] of ARMS.entries()) {
    const command = scene.give();
    await reached(command, scene, { at: "training", nth: at === 0 ? 0 : 1 }); // it goes on with the one before
    await reached(command, scene, { at: "saving", nth: 3 + random.below(1 + 2 * at), delay: random.between(0, 40) });
    command.signal("SIGKILL");
    await scene.end(command, "SIGKILL");
    cpSync(join(scene.out, arm), kept(arm), { recursive: true });
  }
  for (const arm of ARMS) {
    rmSync(join(scene.out, arm), { recursive: true });
    cpSync(kept(arm), join(scene.out, arm), { recursive: true });
    if (finishedIn(scene.out, arm).length < 2) scene.faults.push(`${arm} was killed before it had two checkpoints`);
  }
}

async function damageAndGoOn(scene, damages, random) {
  const runs = ARMS.map((arm) => finishedIn(scene.out, arm).map((path) => ({ arm, path, damage: undefined })));
  const others = ARMS.map((arm, at) => ({ arm, path: join(scene.folder, "others", arm), of: runs[at][0].path }));
  for (const { of, path } of others) cpSync(of, path, { recursive: true });
  const left = runs.flat();
  for (const damage of damages) {
    const [checkpoint] = left.splice(random.below(left.length), 1);
    // Arms that begin with the same order have the same model after it: that would be no damage.
    const isOther = ({ arm, path }) => arm !== checkpoint.arm && !modelOf(path).equals(modelOf(checkpoint.path));
    damage.act(checkpoint.path, random, random.pick(others.filter(isOther)).path);
    checkpoint.damage = damage;
    scene.count(row(damage));
  }
  await scene.finish();
  for (const { path, damage } of runs.flatMap(lookedAt)) {
    const isNamed = (line) => line.startsWith(`${path} `) && line.endsWith(": it is not used");
    if (!damage.isUnfinished && !scene.said.some(isNamed))
      scene.faults.push(`${path}: ${damage.name}, and nothing was said of it`);
  }
}

const modelOf = (checkpoint) => readFileSync(join(checkpoint, "model.safetensors"));

/** The damaged ones that come before the one that is used. */
function lookedAt(newestFirst) {
  const used = newestFirst.findIndex(({ damage }) => damage === undefined);
  return newestFirst.slice(0, used === -1 ? undefined : used);
}
