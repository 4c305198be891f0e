import { describe, expect, test } from 'vitest'
import { sandboxLimits, sandboxPlan } from '../../../src/security/sandbox.ts'
import type { ConfinedLaunch } from '../../../src/security/sandbox.ts'
import { rootProblem } from '../../../src/security/sandbox-view.ts'
import { someHost } from '../../fixtures/sandbox.ts'

const launch: ConfinedLaunch = {
  program: 'make',
  args: ['-C', 'src', '--', '; rm -rf /'],
  environment: { PATH: '/usr/bin', HOME: '/home/someone', TOKEN: 'not for ps' },
  identity: { FLOTILLA_RUN: 'r1' },
  network: false,
  view: {
    system: someHost.system,
    readable: ['/opt/node'],
    root: '/work/project',
    writable: ['/work/project/out'],
    hidden: ['/work/project/.flotilla'],
    folder: '/work/project/.flotilla/r1/attempts/t1/1',
    input: '/work/project/.flotilla/r1/attempts/t1/1/input.json',
    artifacts: '/work/project/.flotilla/r1/attempts/t1/1/artifacts',
    readsArtifacts: false,
    folderBytes: 1000,
    temporaryBytes: 500,
  },
  limits: { ...sandboxLimits, processes: 7, memoryBytes: 100, fileBytes: 10 },
}
const plan = sandboxPlan(launch, someHost)
/** The options as one text, so that neighbours can be looked for. */
const text = (options: readonly string[]) => ` ${options.join(' ')} `

describe('a plan', () => {
  test('HO6 the program becomes bubblewrap, which gets its options by descriptor and nothing but the lease in its environment', () => {
    expect(plan.program).toBe('/usr/bin/bwrap')
    expect(plan.environment).toEqual({ FLOTILLA_RUN: 'r1' })
    expect(plan.args.slice(0, 6)).toEqual(['--args', '3', '--info-fd', '4', '--', '/bin/sh'])
    expect(plan.args.join(' ')).not.toContain('not for ps')
    expect(text(plan.options)).toContain(' --clearenv --setenv PATH /usr/bin ')
    expect(text(plan.options)).toContain(' --setenv TOKEN not for ps ')
  })

  test('SE6 the program and its arguments come last, each as it is, after a --', () => {
    expect(plan.args.slice(-6)).toEqual(['--', 'make', '-C', 'src', '--', '; rm -rf /'])
    // The name is shown to the shell as what it is called by, never as text to read.
    expect(plan.args[8]).toBe('make')
    expect(plan.args[7]).not.toContain('make')
  })

  test('SE3 it has namespaces of its own, no rights, no terminal, and an end with its fleet', () => {
    for (const option of ['user', 'ipc', 'pid', 'net', 'uts'].map((name) => `--unshare-${name}`))
      expect(plan.options).toContain(option)
    for (const option of ['--die-with-parent', '--new-session']) expect(plan.options).toContain(option)
    for (const pair of ['--cap-drop ALL', '--uid 65534', '--gid 65534', '--seccomp 7'])
      expect(text(plan.options)).toContain(` ${pair} `)
  })

  test('SE4 with the network granted it shares the host’s, and may read what finding a host takes', () => {
    const open = sandboxPlan({ ...launch, network: true }, someHost)
    expect(open.options).not.toContain('--unshare-net')
    expect(open.options).toContain('/etc/resolv.conf')
    expect(plan.options).not.toContain('/etc/resolv.conf')
  })

  test('HO6 what it sees is laid down in an order: the workspace, what may be written, what is hidden, its own folder', () => {
    const at = (part: string) => {
      const index = text(plan.options).indexOf(` ${part} `)
      expect(index, part).toBeGreaterThan(0)
      return index
    }
    const { folder, input } = launch.view
    const order = [
      '--ro-bind /usr /usr --symlink usr/bin /bin',
      '--proc /proc --dev /dev',
      '--size 500 --tmpfs /tmp',
      '--size 500 --tmpfs /dev/shm',
      '--ro-bind /etc/ld.so.cache /etc/ld.so.cache',
      '--ro-bind /opt/node /opt/node',
      '--ro-bind /work/project /work/project',
      '--bind /work/project/out /work/project/out',
      '--size 4096 --tmpfs /work/project/.flotilla',
      `--size 1000 --tmpfs ${folder}`,
      `--ro-bind ${input} ${input}`,
      '--remount-ro /proc --remount-ro /dev --remount-ro /work/project/.flotilla --remount-ro /',
    ].map(at)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    // Every file system in memory has a size.
    expect(plan.options.filter((option) => option === '--tmpfs')).toHaveLength(
      plan.options.filter((option) => option === '--size').length,
    )
  })

  test('HO6 home and the place for temporary files are its own', () => {
    expect(text(plan.options)).toContain(` --setenv HOME ${launch.view.folder} `)
    expect(text(plan.options)).toContain(' --setenv TMPDIR /tmp ')
    expect(plan.options).not.toContain('/home/someone')
  })

  test('HO6 the limits stand before the program: processes, memory, file size, no core', () => {
    expect(plan.args.slice(9, -6)).toEqual([
      ...['/usr/bin/prlimit', '--core=0:0', '--nproc=7:7', '--fsize=10:10', '--data=100:100', '--as=400:400'],
    ])
  })
})

describe('a workspace root', () => {
  test.each(['/', '/usr', '/etc', '/proc/1/root', '/dev/shm', '/sys', '/run/user/1000', '/tmp'])(
    'HO6 %s cannot be shown to a sandbox',
    (root) => expect(rootProblem(root)).toContain(root),
  )
  test.each(['/work', '/home/someone/project', '/tmp/project', '/usr/src/app', '/running', '/root'])('HO6 %s can be', (root) =>
    expect(rootProblem(root)).toBeUndefined(),
  )
})
