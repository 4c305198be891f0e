import { expect, test } from 'vitest'
import { cliFolder } from '../support/cli.ts'

const file = {
  name: 'alerting',
  tasks: [
    {
      id: 'build',
      name: 'Build',
      instructions: 'Build it.',
      alert_policy: {
        after_attempts: 2,
        events: ['restart_exhausted', 'needs_human'],
        channels: [
          { kind: 'slack', url: 'https://hooks.slack.test/services/T0/B0/XYZZY' },
          { kind: 'pagerduty', routing_key: 'XYZZY', severity: 'error' },
        ],
      },
    },
  ],
}

test('AL5 alert-dry-run shows what a file would send, with secrets covered, and leaves no trace', async () => {
  await using folder = await cliFolder()
  const path = await folder.file('alerts.json', file)
  const shown = await folder.call('alert-dry-run', path)
  expect(shown.exit).toBe(0)
  expect(shown.out).toContain('restart_exhausted of build through slack, once 2 attempts failed')
  expect(shown.out).toContain('POST https://hooks.slack.test/<redacted>')
  expect(shown.out).toContain('needs_human of build through pager_duty\n')
  expect(shown.out).toContain('"routing_key": "<redacted>"')
  expect(shown.out).not.toContain('XYZZY')
  expect(await folder.entries()).toEqual(['alerts.json'])
})

test('AL5 alert-dry-run --class shows only alerts of that class; as JSON each is a row', async () => {
  await using folder = await cliFolder()
  const path = await folder.file('alerts.json', file)
  const { rows } = await folder.call('alert-dry-run', path, '--class', 'needs_human', '--json')
  expect(rows.slice(0, -1)).toMatchObject([
    { task_id: 'build', class: 'needs_human', channel: 'slack', place: 0, request: { method: 'POST' } },
    { task_id: 'build', class: 'needs_human', channel: 'pager_duty', place: 1, request: { body: { event_action: 'trigger' } } },
  ])
  expect(rows.at(-1)).toEqual({ summary: { alerts: 2, tasks: 1 } })
  const none = await folder.call('alert-dry-run', path, '--class', 'stale')
  expect(none.out).toBe('No task of the file would send such an alert.\n')
  const wrong = await folder.call('alert-dry-run', path, '--class', 'late')
  expect(wrong.exit).toBe(2)
  expect(wrong.err).toContain('--class: expected one of stale, restart_exhausted,')
})

test('AL2 M37 inspect shows where the alerts of a task stand', async () => {
  await using folder = await cliFolder()
  await folder.file('alerts.json', {
    name: 'alerting',
    tasks: [
      {
        id: 'build',
        name: 'Build',
        instructions: 'Fail.',
        metadata: { command: ['false'] },
        scorer: { kind: 'exit_code' },
        retry_policy: { max_attempts: 1 },
        alert_policy: { channels: [{ kind: 'webhook', url: 'https://127.0.0.1:9/XYZZY' }] },
      },
    ],
  })
  const run = await folder.call('run', 'alerts.json')
  expect(run.exit).toBe(1)
  const shown = await folder.call('inspect', 'build')
  expect(shown.out).toMatch(
    /restart_exhausted {2}through webhook {2}given up {2}1 failed, the last: the address is not one of the public internet/,
  )
  expect(`${run.out}${run.err}${shown.out}`).not.toContain('XYZZY')
})
