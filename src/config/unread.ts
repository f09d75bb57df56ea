/** Common settings that no arm reads, since each has a section of its own in their place. */

import { isRecord } from "../exact-json.js";
import { valueAt } from "../schema-mistake.js";
import { TRAINING_KEYS } from "./arm-schema.js";
import type { ConfigSource } from "./config-source.js";
import { mergeArm } from "./merge-arm.js";
import { spellNamed } from "./named-section.js";

/** A line for each, with its place. */
export function unreadSettings(source: ConfigSource): string[] {
  const { arms, ...common } = source.value;
  if (!isRecord(arms)) return [];
  const untuned = isRecord(common.tune) ? replacedRates(source) : [];
  const overrides = Object.values(arms).map((override) => (isRecord(override) ? override : {}));
  const unread = TRAINING_KEYS.filter((key) => common[key] !== undefined).flatMap((key) => {
    const own = overrides.map((override) => (key in override ? { [key]: override[key] } : {}));
    const section = spellNamed(key, common[key]);
    const settings = isRecord(section) ? Object.keys(section).map((name) => [key, name]) : [[key]];
    return settings
      .filter((path) => !own.some((override) => isRead(section, path, override)))
      .map((path) => `${source.where(path)}: ${path.join(".")}: no arm reads it, each says its own ${key}`);
  });
  return [...unread, ...untuned];
}

/** Rates that are written where tuning chooses them. */
function replacedRates(source: ConfigSource): string[] {
  const { arms } = source.value;
  const inArms = Object.keys(isRecord(arms) ? arms : {}).map((arm) => ["arms", arm, "schedule", "learningRate"]);
  return [["schedule", "learningRate"], ...inArms]
    .filter((path) => valueAt(source.value, path) !== undefined)
    .map((path) => `${source.where(path)}: ${path.join(".")}: tune.learningRate takes its place`);
}

/** Whether an arm would be another one if this was written otherwise in what is common to all. */
function isRead(section: unknown, [key, name]: readonly string[], override: Record<string, unknown>): boolean {
  const otherwise = isRecord(section) && name !== undefined ? { ...section, [name]: OTHER } : OTHER;
  const merged = mergeArm({ [key]: otherwise }, override)[key];
  return merged === OTHER || (isRecord(merged) && name !== undefined && merged[name] === OTHER);
}

const OTHER = Symbol("another value");
