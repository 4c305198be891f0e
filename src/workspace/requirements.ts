import type { FleetTaskSpec } from '../protocol/task.ts'
import type { Environment } from '../ports/environment.ts'
import type { Files } from '../ports/files.ts'
import type { WorkspaceOutcome, Workspaces } from '../ports/workspaces.ts'
import { environmentProblems, grantedValues, unsetProblems } from './environment.ts'
import { relativeProblem } from '../protocol/path-text.ts'
import { isInside, joinPath } from './paths.ts'
import { resolveRoot } from './root.ts'

/** Makes the adapter that checks what tasks need before their attempts start (WS1–WS3); all problems of a task come at once. */
export function createWorkspaces({
  files,
  environment,
}: {
  readonly files: Files
  readonly environment: Environment
}): Workspaces {
  return {
    prepare(task, base) {
      // Most tasks ask for nothing: their root is the workspace folder, which was resolved when the run was created.
      if (task.workspace === undefined && task.input_files.length === 0) return { root: base, environment: {} }
      // A file system that cannot be asked (a loop of links, a folder that may not be entered) is a problem like the others.
      return check(task, base).catch((error: unknown) => ({ problems: [error instanceof Error ? error.message : String(error)] }))
    },
  }

  async function check(task: FleetTaskSpec, base: string): Promise<WorkspaceOutcome> {
    const resolved = await resolveRoot(files, base, task.workspace?.root)
    const wanted = task.workspace?.environment
    const problems = [
      ...('root' in resolved ? await missingFiles(files, resolved.root, task) : [resolved.problem]),
      ...environmentProblems(wanted),
      ...unsetProblems(wanted, environment),
    ]
    if (problems.length > 0 || !('root' in resolved)) return { problems }
    return { root: resolved.root, environment: grantedValues(wanted, environment) }
  }
}

async function missingFiles(files: Files, root: string, task: FleetTaskSpec): Promise<readonly string[]> {
  const wanted = [
    ...(task.workspace?.required_files ?? []).map((path) => ['workspace.required_files', path] as const),
    ...task.input_files.map((path) => ['input_files', path] as const),
  ]
  const problems = await Promise.all(
    wanted.map(async ([field, path]) => {
      const why = relativeProblem(path) ?? ((await isThere(files, root, path)) ? undefined : `is not in ${root}`)
      return why === undefined ? [] : [`${field}: ${path} ${why}.`]
    }),
  )
  return problems.flat()
}

/** A path is looked for as it is written before it is taken for a pattern: `src/[id].ts` is a name too. */
async function isThere(files: Files, root: string, path: string): Promise<boolean> {
  const real = await files.real(joinPath(root, path))
  if (real !== undefined) return isInside(real, root)
  return /[*?[\]{}()!]/.test(path) && (await files.find(root, [path])).length > 0
}
