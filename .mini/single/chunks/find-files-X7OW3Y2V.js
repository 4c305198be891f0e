import "./chunk-RFYV5G4X.js";

// src/host/find-files.ts
import { lstat, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { glob } from "tinyglobby";
async function findFiles(folder, patterns) {
  const inner = patterns.filter((pattern) => !leadsOut(pattern));
  if (inner.length === 0) return [];
  const base = await realpath(folder).catch(() => void 0);
  if (base === void 0) return [];
  const found = await glob(inner, { cwd: base, dot: true, onlyFiles: true, followSymbolicLinks: false, expandDirectories: false });
  const isRegular = await Promise.all(found.map((path) => isRegularInside(base, path)));
  return found.filter((_, index) => isRegular[index]).toSorted();
}
function leadsOut(pattern) {
  return pattern.replace(/^!/, "").startsWith("/") || pattern.split("/").includes("..");
}
async function isRegularInside(base, path) {
  const absolute = join(base, path);
  const [facts, real] = await Promise.all([lstat(absolute), realpath(absolute)]).catch(() => [void 0, ""]);
  return facts?.isFile() === true && real.startsWith(base === sep ? sep : base + sep);
}
export {
  findFiles
};
