import { FleetError } from '../index.ts'

/** Tasks are named, or selected by their tags; whoever does both means something else than what would be done. */
export function refuseBoth(task: string | undefined): void {
  if (task === undefined) return
  throw new FleetError(
    'usage',
    `Tasks are meant by name or by tag, not both: got the task ${task} and --tag. Leave one of them out.`,
  )
}
