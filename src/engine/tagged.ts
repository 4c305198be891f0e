import type { FleetTaskSpec } from '../protocol/task.ts'

/** Whether a task is among those that tags select: it has one of them. Without tags every task is. */
export function isTagged(spec: Pick<FleetTaskSpec, 'tags'>, tags: readonly string[] | undefined): boolean {
  return tags === undefined || tags.some((tag) => spec.tags.includes(tag))
}
