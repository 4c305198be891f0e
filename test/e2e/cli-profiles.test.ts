import { describe, expect, it } from 'vitest'
import { FleetReceipt } from '../../src/protocol/receipt.ts'
import { jsonStore, openControl } from '../../src/index.ts'
import { cliFolder } from '../support/cli.ts'
import type { CliFolder } from '../support/cli.ts'

const module = `
  export const profiles = { careful: { role: 'judge', model: 'maker/m-1', instructions: 'Look twice.' } }
  export const roles = { judge: { model_class: 'strong', tools: ['read'] } }
`
const printing = ['node', '-e', `console.log(JSON.stringify(require(process.env.FLOTILLA_INPUT).task.worker))`]
const judged = {
  name: 'judging',
  worker_defaults: { loadout: 'slow' },
  tasks: [
    { id: 'a', name: 'a', instructions: 'x', worker: { profile: 'careful' }, metadata: { command: printing } },
    { id: 'b', name: 'b', instructions: 'x', metadata: { command: printing } },
  ],
}

async function receiptOf(folder: CliFolder, task: string): Promise<FleetReceipt> {
  const control = openControl(jsonStore({ folder: `${folder.path}/.flotilla` }))
  const [row] = await control.runs()
  const receipt = await control.run(row!.id).receipt(task)
  await control.close()
  return FleetReceipt.parse(receipt)
}

describe('profiles on the command line', () => {
  it('SC3 a task file names profiles of a module; the command finds what applies in its input, and receipts say what came from where', async () => {
    await using folder = await cliFolder()
    const good = await folder.file('profiles.mjs', module)
    await folder.file('t.json', judged)
    const { exit, err } = await folder.call('run', 't.json', '--worker', good)
    expect([exit, err]).toEqual([0, ''])
    expect(JSON.parse((await folder.call('logs', 'a')).out)).toMatchObject({
      agent_profile: 'careful',
      role: 'judge',
      model: 'maker/m-1',
      tools: ['read'],
      instructions: 'Look twice.',
      loadout: 'slow',
    })
    expect((await receiptOf(folder, 'a')).profile?.sources).toEqual({
      agent_profile: 'task.agent_profile',
      role: 'agent_profile.role',
      model: 'agent_profile.model',
      model_class: 'role_preset.model_class',
      tools: 'role_preset.tools',
      instructions: 'agent_profile.instructions',
      loadout: 'run.loadout',
    })
    expect((await receiptOf(folder, 'b')).profile?.sources).toEqual({ loadout: 'run.loadout' })
  })

  it('SC3 a profile that no module exports is refused with its field, and nothing is stored', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', judged)
    const { exit, err } = await folder.call('run', 't.json')
    expect(exit).toBe(2)
    expect(err).toContain('tasks[0].worker.agent_profile: no agent profile "careful" is registered')
    expect(folder.has('.flotilla')).toBe(false)
  })

  it('SC3 what is wrong with the profiles of a module is told, and so is a name that two modules have', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', judged)
    const good = await folder.file('profiles.mjs', module)
    const again = await folder.file('again.mjs', module)
    const wide = await folder.file('wide.mjs', `export const profiles = { wide: { network: true } }`)
    const list = await folder.file('list.mjs', `export const roles = []`)
    const widened = await folder.call('run', 't.json', '--worker', good, '--worker', wide)
    expect(widened.err).toContain('profiles.wide.network: expected nothing')
    const twice = await folder.call('run', 't.json', '--worker', good, '--worker', again)
    expect(twice.err).toContain('again.mjs: its `profiles` hold careful, and so do those of another module')
    const listed = await folder.call('run', 't.json', '--worker', list)
    expect(listed.err).toContain('list.mjs: its `roles` must be an object by name')
    expect(folder.has('.flotilla')).toBe(false)
  })

  it('ST11 resuming needs no profiles: what applied when the run was created stands', async () => {
    await using folder = await cliFolder()
    const good = await folder.file('profiles.mjs', module)
    const waiting = { ...judged.tasks[0], metadata: { command: ['node', '-e', 'setTimeout(() => {}, 60000)'] } }
    await folder.file('t.json', { ...judged, tasks: [{ ...waiting, timeout_seconds: 3, retry_policy: { max_attempts: 1 } }] })
    const first = folder.start('run', 't.json', '--worker', good, '--grace', '0')
    await first.says('started')
    first.child.kill('SIGINT')
    await first.ended
    const resumed = await folder.call('resume')
    expect(resumed.err).not.toContain('agent profile')
    expect((await receiptOf(folder, 'a')).profile).toMatchObject({ profile_id: 'careful', model: 'maker/m-1' })
  })
})
