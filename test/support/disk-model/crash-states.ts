import { dirname } from 'node:path'
import type { FileTree, Step } from './file-tree.ts'
import type { ModelDisk } from './model-disk.ts'

/** What a power cut made of a step that was not durable yet. */
type Fate = (step: Step, tree: FileTree) => void

/** What a disk may hold after a power cut, and how it came to that. */
export interface CrashState {
  readonly tree: FileTree
  /** How many steps had been taken. */
  readonly after: number
  readonly story: string
}

const kept: Fate = (step, tree) => tree.apply(step)
const lost: Fate = () => undefined

/**
 * The states that a power cut may leave once `after` steps were taken: all that was not synced is there, or none of it; and from both,
 * each single step with every fate that it may have. Data may be cut, zero, or have holes; names may come to the disk in any order.
 */
export function* crashStates(disk: ModelDisk, after: number): Generator<CrashState> {
  const pending = pendingSteps(disk.steps, after)
  for (const [name, base] of [
    ['all kept', kept],
    ['all lost', lost],
  ] as const) {
    yield { tree: replay(disk, after, pending, () => base), after, story: name }
    for (const index of pending)
      for (const [fate, make] of fatesOf(disk.steps[index]))
        if (make !== base)
          yield {
            tree: replay(disk, after, pending, (one) => (one === index ? make : base)),
            after,
            story: `${name}, but ${describe(disk.steps[index])} ${fate}`,
          }
  }
}

/** One state in which every undurable step has the fate that the next number of `choices` picks. */
export function chosenState(disk: ModelDisk, after: number, choices: readonly number[]): CrashState {
  const pending = pendingSteps(disk.steps, after)
  const fates = new Map<number, readonly [string, Fate]>()
  for (const index of pending) {
    const possible = fatesOf(disk.steps[index])
    const fate = possible[(choices[fates.size % choices.length] ?? 0) % possible.length]
    if (fate !== undefined) fates.set(index, fate)
  }
  const told = [...fates].map(([index, [name]]) => `${describe(disk.steps[index])} ${name}`)
  return { tree: replay(disk, after, pending, (index) => fates.get(index)?.[1] ?? kept), after, story: told.join(', ') }
}

function replay(disk: ModelDisk, after: number, pending: ReadonlySet<number>, fateOf: (index: number) => Fate): FileTree {
  const tree = disk.start.copy()
  disk.steps.slice(0, after).forEach((step, index) => (pending.has(index) ? fateOf(index) : kept)(step, tree))
  return tree.prune()
}

/** Steps that no sync has made durable: of its file for bytes, of its folder for a name. */
function pendingSteps(steps: readonly Step[], after: number): ReadonlySet<number> {
  const pending = new Set<number>()
  /** Not made durable by a later sync either: the one that failed took the pages for clean. */
  const forsaken = new Set<number>()
  steps.slice(0, after).forEach((step, index) => {
    if (step.kind === 'sync' || step.kind === 'syncFolder') {
      for (const one of pending) {
        const earlier = steps[one]
        if (earlier === undefined || !isCovered(earlier, step)) continue
        if (step.kind === 'sync' && step.failed) forsaken.add(one)
        else if (!forsaken.has(one) || isWrittenAgain(steps, one, index)) pending.delete(one)
      }
    } else pending.add(index)
  })
  return pending
}

function isCovered(step: Step, sync: Extract<Step, { kind: 'sync' | 'syncFolder' }>): boolean {
  if (sync.kind === 'sync') return (step.kind === 'write' || step.kind === 'truncate') && step.file === sync.file
  return 'path' in step && step.kind !== 'syncFolder' && dirname(step.path) === sync.path
}

/** Whether all bytes of a write were written once more before a sync: then that one has something to do. */
function isWrittenAgain(steps: readonly Step[], one: number, until: number): boolean {
  const first = steps[one]
  if (first?.kind !== 'write') return false
  return steps
    .slice(one + 1, until)
    .some(
      (step) =>
        step.kind === 'write' &&
        step.file === first.file &&
        step.at <= first.at &&
        step.at + step.bytes.length >= first.at + first.bytes.length,
    )
}

function fatesOf(step: Step | undefined): readonly (readonly [string, Fate])[] {
  const both = [
    ['kept', kept],
    ['lost', lost],
  ] as const
  if (step?.kind === 'rename') return [...both, ['has both names', keepBoth]]
  if (step?.kind !== 'write' || step.bytes.length < 2) return both
  const { length } = step.bytes
  const cuts = [...new Set([1, length >> 1, length - 1, step.bytes.indexOf(10) + 1])].filter((cut) => cut > 0 && cut < length)
  return [
    ...both,
    ...cuts.map((cut) => [`cut at ${cut}`, withBytes((bytes) => bytes.subarray(0, cut))] as const),
    ['zero', withBytes((bytes) => Buffer.alloc(bytes.length))],
    ['without its first half', withBytes((bytes) => Buffer.from(bytes).fill(0, 0, bytes.length >> 1))],
    ['without its second half', withBytes((bytes) => Buffer.from(bytes).fill(0, bytes.length >> 1))],
  ]
}

const keepBoth: Fate = (step, tree) => {
  if (step.kind === 'rename') tree.names.set(step.path, step.file)
}

/** Bytes that came to the disk otherwise than they were written. Those that overwrite others are there or not. */
function withBytes(change: (bytes: Buffer) => Buffer): Fate {
  return (step, tree) => {
    if (step.kind !== 'write') return
    const isNew = step.at >= (tree.contents.get(step.file)?.length ?? 0)
    tree.apply(isNew ? { ...step, bytes: change(step.bytes) } : step)
  }
}

function describe(step: Step | undefined): string {
  if (step === undefined) return ''
  return `${step.kind} ${'path' in step ? step.path : `of file ${step.file}`}`
}
