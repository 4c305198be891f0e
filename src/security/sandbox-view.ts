/** A folder of programs at the top of the file system: real, or a link, as most are to their namesakes in `/usr`. */
export interface SystemFolder {
  readonly path: string
  /** Where the link leads, as it is written. */
  readonly link?: string
}

/** What a sandbox sees of files, all of it absolute paths with every link resolved. */
export interface SandboxView {
  readonly system: readonly SystemFolder[]
  /** Files and folders that exist and may be read, at their own paths. */
  readonly readable: readonly string[]
  /** The task's workspace root; it may be read. */
  readonly root: string
  /** Folders and files in the workspace that may be written. */
  readonly writable: readonly string[]
  /** Folders whose content is not shown although they lie in what is: the store. */
  readonly hidden: readonly string[]
  /** The attempt's folder: it is empty but for its input, lies in memory, and is the one place besides `/tmp` that may be written. */
  readonly folder: string
  readonly input: string
  readonly artifacts: string
  /** The artifacts are those that are there before it begins, to be read. */
  readonly readsArtifacts: boolean
  readonly folderBytes: number
  readonly temporaryBytes: number
}

/** Where the sandbox puts something of its own: a workspace that holds one of these cannot be shown. */
const ownPlaces = ['/usr', '/etc', '/proc', '/dev', '/sys', '/run', '/tmp']

/** Places of the host that no workspace may lie in. */
const hostPlaces = ['/proc', '/dev', '/sys', '/run']

/** Why a workspace root cannot be shown to a sandbox; undefined when it can. */
export function rootProblem(root: string): string | undefined {
  const held = ownPlaces.find((place) => isIn(place, root))
  if (held !== undefined) return `its workspace root ${root} holds ${held}, which a sandbox has of its own`
  const around = hostPlaces.find((place) => isIn(root, place))
  return around === undefined ? undefined : `its workspace root ${root} lies in ${around}, which no sandbox is shown`
}

/** The options that build a view, in the order in which bubblewrap carries them out: what comes later lies over what came before. */
export function viewOptions(view: SandboxView): readonly string[] {
  const { folder, input, artifacts, readsArtifacts } = view
  return [
    ...view.system.flatMap(({ path, link }) => (link === undefined ? ['--ro-bind', path, path] : ['--symlink', link, path])),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...memory('/tmp', view.temporaryBytes),
    ...memory('/dev/shm', view.temporaryBytes),
    ...view.readable.flatMap((path) => ['--ro-bind', path, path]),
    ...['--ro-bind', view.root, view.root],
    ...view.writable.flatMap((path) => ['--bind', path, path]),
    ...view.hidden.flatMap((path) => memory(path, 4096)),
    ...memory(folder, view.folderBytes),
    ...(readsArtifacts ? ['--ro-bind', artifacts, artifacts] : ['--dir', artifacts]),
    ...['--ro-bind', input, input],
    ...['/proc', '/dev', ...view.hidden, '/'].flatMap((path) => ['--remount-ro', path]),
  ]
}

/** A file system in memory that is full at this size: without one it grows to half of the machine's memory. */
function memory(path: string, bytes: number): readonly string[] {
  return ['--size', String(bytes), '--tmpfs', path]
}

function isIn(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}
