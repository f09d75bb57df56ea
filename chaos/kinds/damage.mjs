// Checkpoints are damaged between two commands: they are named, and the one before is used, or none.
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { finishedIn, stepOf } from "../checkpoints.mjs";
import { DAMAGES } from "../damages.mjs";
import { reached } from "../moments.mjs";
import { underWay } from "../told.mjs";

const ARMS = ["weighted", "own", "rescored"];
/** Each arm's run is killed when it has two: the newest of each is damaged, and another one of one arm. */
const IN_A_CASE = ARMS.length + 1;
/** So that a case has several kinds; it has no divisor in common with their number. */
const STRIDE = 5;
/** Directories with killed runs are made so many times, and each is damaged for many cases. */
const BASES = 3;

export function damageCases({ seed }) {
  let number = seed;
  return Array.from({ length: 54 }, (_, at) => {
    const damages = Array.from({ length: IN_A_CASE }, () => DAMAGES[(STRIDE * number++) % DAMAGES.length]);
    return {
      name: `damage-${at}`,
      what: damages.map(({ name }) => name).join(", "),
      planned: damages.map(rowOfDamage),
      run: async (scene, random, shared) => {
        const made = await shared(`base-${at % BASES}`, killEachRun);
        scene.faults.push(...made.faults);
        if (made.faults.length > 0) return;
        cpSync(made.out, scene.out, { recursive: true });
        const arms = [...ARMS, random.pick(ARMS)];
        await damageAndGoOn(
          scene,
          damages.map((damage, place) => ({ damage, arm: arms[place] })),
          random,
        );
      },
    };
  });
}

export const rowOfDamage = ({ name }) => `checkpoint damaged: ${name}`;

/** Returns whether each was killed when it had two checkpoints. */
async function killEachRun(scene, random) {
  const kept = (arm) => join(scene.folder, "killed", arm);
  for (const [at, arm] of ARMS.entries()) {
    const command = scene.give();
    await reached(command, scene, { at: "training", nth: at === 0 ? 0 : 1 }); // it goes on with the one before
    await reached(command, scene, { at: "saving", nth: 3 + random.below(1 + 2 * at), delay: random.between(0, 40) });
    const isUnderWay = underWay(command.lines) === arm;
    scene.signal(command, "SIGKILL");
    await scene.end(command, "SIGKILL", 0);
    if (!isUnderWay) return false;
    cpSync(join(scene.out, arm), kept(arm), { recursive: true });
  }
  for (const arm of ARMS) {
    rmSync(join(scene.out, arm), { recursive: true });
    cpSync(kept(arm), join(scene.out, arm), { recursive: true });
  }
  return ARMS.every((arm) => finishedIn(scene.out, arm).length >= 2);
}

/**
 * Damages the newest checkpoint of an arm that is undamaged, one after another, and gives the command: each that was
 * damaged is looked at, and the next older one is used.
 * @param {{ arm: string, damage: typeof DAMAGES[number] }[]} damages
 */
export async function damageAndGoOn(scene, damages, random) {
  const runs = [...new Set(damages.map(({ arm }) => arm))].map((arm) => ({ arm, paths: finishedIn(scene.out, arm) }));
  const others = runs.map(({ arm, paths }) => ({ arm, path: join(scene.folder, "others", arm), of: paths[0] }));
  for (const { of, path } of others) cpSync(of, path, { recursive: true });
  const damaged = [];
  const named = [];
  for (const { arm, damage } of damages) {
    const path = runs.find((run) => run.arm === arm).paths.shift();
    // Arms that begin with the same order have the same model after it: that would be no damage.
    const isOther = (one) => one.arm !== arm && !modelOf(one.path).equals(modelOf(path));
    damage.act(path, random, random.pick(others.filter(isOther))?.path);
    damaged.push(path);
    if (!damage.isUnfinished) named.push(path);
  }
  const goesOn = new Map(runs.map(({ arm, paths: [path] }) => [arm, path && stepOf(path)]));
  const command = scene.give({ goesOn, unusable: damaged });
  await scene.end(command, 0);
  scene.faults.push(...notJust(named, command.lines));
  if (scene.faults.length === 0) for (const { damage } of damages) scene.count(rowOfDamage(damage));
  await scene.check();
}

const modelOf = (checkpoint) => readFileSync(join(checkpoint, "model.safetensors"));

/** Lines that say which of these checkpoints were not named as not used, and which others were. */
export function notJust(named, lines) {
  const said = lines.map((line) => /^(\S+) .*: it is not used$/.exec(line)?.[1]).filter(Boolean);
  return [
    ...named.filter((path) => !said.includes(path)).map((path) => `${path} was damaged, and nothing was said of it`),
    ...said.filter((path) => !named.includes(path)).map((path) => `${path} was whole, and was not used`),
  ];
}
