import { describe, expect, test } from 'vitest'
import { containerArguments, type ContainerLaunch, containerLimits } from '../../../src/security/container.ts'

const launch: ContainerLaunch = {
  name: 'flotilla-abc-attempt-1',
  labels: { 'flotilla.store': 's', 'flotilla.worker': 'w' },
  image: 'image:1',
  command: ['printf', '--help'],
  replacesProgram: true,
  network: 'none',
  user: '65534:65534',
  folder: '/work',
  mounts: [
    { source: '/work', target: '/work', writable: false },
    { source: '/dev/shm/x/folder', target: '/work/.store/attempt', writable: true },
  ],
  filter: '/dev/shm/x/seccomp.json',
  variables: { HOME: '/work/.store/attempt' },
  named: ['ALLOWED'],
  hasInput: false,
  limits: containerLimits,
}
const podman = { runtime: 'podman', isRootless: false } as const
const docker = { runtime: 'docker', isRootless: false } as const
const has = (words: readonly string[], ...row: readonly string[]): boolean =>
  words.some((_, at) => row.every((word, index) => words[at + index] === word))

describe('the start of a container', () => {
  test('SE3 HO6 names everything that confines it, and nothing else', () => {
    expect(containerArguments(launch, docker)).toEqual([
      ...['run', '--name', 'flotilla-abc-attempt-1', '--pull=never', '--init', '--sig-proxy=false', '--log-driver=none'],
      ...['--no-healthcheck', '--label', 'flotilla.store=s', '--label', 'flotilla.worker=w', '--user', '65534:65534'],
      ...['--cap-drop=ALL', '--security-opt=no-new-privileges', '--hostname=sandbox'],
      ...['--security-opt=seccomp=/dev/shm/x/seccomp.json', '--network', 'none'],
      ...['--pids-limit=512', '--memory=4294967296', '--memory-swap=4294967296'],
      ...['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=16384:16384', '--ulimit', 'fsize=268435456:268435456'],
      ...['--ulimit', 'core=0:0', '--read-only', '--shm-size=67108864', '--tmpfs', '/tmp:rw,size=67108864,mode=1777'],
      ...['--tmpfs', '/run:rw,size=65536,mode=755', '--tmpfs', '/var/tmp:rw,size=65536,mode=1777'],
      ...['--volume', '/work:/work:ro', '--volume', '/dev/shm/x/folder:/work/.store/attempt:rw'],
      ...['--env', 'HOME=/work/.store/attempt', '--env', 'ALLOWED'],
      ...['--workdir', '/work', '--entrypoint=', '--', 'image:1', 'printf', '--help'],
    ])
  })

  test('SE3 podman would begin its file systems in memory with copies of the image’s, and pass the proxies of the host on, and is told not to', () => {
    const words = containerArguments(launch, podman)
    expect(has(words, '--tmpfs', '/run:rw,size=65536,mode=755,notmpcopyup')).toBe(true)
    expect(words).toEqual(expect.arrayContaining(['--http-proxy=false', '--image-volume=tmpfs']))
    expect(words.includes('--userns=keep-id')).toBe(false)
    expect(containerArguments(launch, { ...podman, isRootless: true })).toContain('--userns=keep-id')
    expect(containerArguments(launch, { ...docker, isRootless: true })).not.toContain('--userns=keep-id')
  })

  test('SE4 the network is the one that is named, or the one that containers get anyway', () => {
    expect(has(containerArguments({ ...launch, network: 'mine' }, docker), '--network', 'mine')).toBe(true)
    expect(containerArguments({ ...launch, network: undefined }, docker)).not.toContain('--network')
  })

  test('HO2 a worker program has a standard input, and is started as the image says', () => {
    const words = containerArguments(
      { ...launch, hasInput: true, replacesProgram: false, command: [], folder: undefined },
      docker,
    )
    expect(words).toContain('--interactive')
    expect(words).not.toContain('--entrypoint=')
    expect(words).not.toContain('--workdir')
    expect(words.slice(-2)).toEqual(['--', 'image:1'])
    expect(containerArguments(launch, docker)).not.toContain('--interactive')
  })

  test('SE3 processors are bounded where that is asked for', () => {
    const limits = { ...containerLimits, cpus: 1.5 }
    expect(containerArguments({ ...launch, limits }, docker)).toContain('--cpus=1.5')
    expect(containerArguments(launch, docker).some((word) => word.startsWith('--cpus'))).toBe(false)
  })
})
