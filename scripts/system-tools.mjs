// Programs of the operating system that tests call, and the Debian package that each comes with.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const tools = {
  sh: 'dash',
  setsid: 'util-linux',
  prlimit: 'util-linux',
  mkfifo: 'coreutils',
  mount: 'mount',
  bwrap: 'bubblewrap',
  python3: 'python3',
  podman: 'podman',
  crun: 'crun',
  catatonit: 'catatonit',
  unshare: 'util-linux',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'ssh-keyscan': 'openssh-client',
  sshd: 'openssh-server',
  dash: 'dash',
  tar: 'tar',
}

/** The tools that are not on the path, with their packages. */
export function missingTools() {
  // Servers lie where the path of a user who is not root may not lead.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  const isThere = (tool) => folders.some((folder) => isExecutable(join(folder, tool)))
  return Object.entries(tools)
    .filter(([tool]) => !isThere(tool))
    .map(([tool, aptPackage]) => ({ tool, aptPackage }))
}

/** Whether a file system in memory can be mounted: that takes Linux, and root. The tests on a real full disk need one. */
export function canMount() {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-mount-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0
  if (isMounted) spawnSync('umount', ['-l', folder])
  rmdirSync(folder)
  return isMounted
}

/** Whether bubblewrap can build a sandbox: that takes Linux, and a kernel that lets this user make namespaces. */
export function canConfine() {
  const view = ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev']
  return spawnSync('bwrap', [...view, '--', 'true'], { timeout: 10_000 }).status === 0
}

/** Whether podman answers: the tests of containers look further, and say in their names why they were skipped. */
export function canContain() {
  return spawnSync('podman', ['info'], { timeout: 10_000, stdio: 'ignore' }).status === 0
}

/** Whether the binaries of other versions of Node that the tests install run here. */
export function hasOtherNodes() {
  return process.platform === 'linux' && process.arch === 'x64'
}

/** What to type to get them. */
export function installCommand(missing) {
  return `apt-get install -y ${[...new Set(missing.map(({ aptPackage }) => aptPackage))].join(' ')}`
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
