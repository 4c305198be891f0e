import { inspectHost, inspectStore, repairStore } from '../index.ts'
import type { HostInspection, StoreInspection, StoreRepair } from '../index.ts'
import { formatBytes } from './duration.ts'
import { findingLines, findingRow, isWrong } from './finding-lines.ts'
import type { Paint } from './paint.ts'
import { oneLine } from './text-width.ts'
import type { Invocation, Verb } from './verb.ts'

export const doctor: Verb = {
  takes: '',
  does: 'Looks whether all that lies in the store is as it should be, and what this machine can enforce; with --repair mends what can be mended.',
  least: 0,
  most: 0,
  options: ['repair', 'take-over'],
  async perform(invocation) {
    const { folder, repair, takeOver } = invocation.options
    if (!repair) return tell(invocation, await inspectStore({ folder }))
    const repaired = await repairStore({ folder, takeOver })
    return tell(invocation, repaired.inspection, repaired)
  },
}

function tell({ output, options }: Invocation, inspection: StoreInspection, repaired?: StoreRepair): number {
  const { findings, owner, ...facts } = inspection
  const { paint } = output
  const wrong = isWrong(findings)
  const { sandbox, containers } = inspectHost()
  if (repaired !== undefined) output.text(...repairLines(repaired, paint))
  output.text(
    `${wrong ? paint.red('✗') : paint.green('✓')} ${oneLine(options.folder)}: ${facts.runs.open} open runs, ${facts.runs.ended} ended, ${facts.runs.removed} removed; ${formatBytes(facts.bytes)} of journal in ${facts.segments} ${facts.segments === 1 ? 'segment' : 'segments'}.`,
    ...findingLines(findings, paint),
    ...(wrong && repaired === undefined ? ['`flotilla doctor --repair` mends what can be mended.'] : []),
    paint.dim(ownerLine(owner)),
    paint.dim(sandboxLine(sandbox)),
    paint.dim(containersLine(containers)),
  )
  const lost = repaired?.lost ?? []
  const missing = repaired?.missing ?? []
  const isLost = lost.length + missing.length > 0
  for (const text of repaired?.done ?? []) output.row({ done: text })
  for (const { run, ...rest } of lost) output.row({ lost: { run_id: run, ...rest } })
  for (const file of missing) output.row({ missing: file })
  for (const finding of findings) output.row(findingRow(finding))
  output.summary({
    ...facts,
    ...(owner !== undefined && { owner }),
    sandbox,
    containers,
    findings: findings.length,
    ...(repaired !== undefined && { done: repaired.done.length, lost: lost.length, missing: missing.length }),
    fine: !wrong && !isLost,
  })
  return wrong || isLost ? 1 : 0
}

function repairLines({ done, lost, missing }: StoreRepair, paint: Paint): string[] {
  const cuts = lost.flatMap(({ run, after, file, line, byte, aside, lines }) => [
    after === 0
      ? `  ${paint.red('lost')}   Nothing of run ${run} could be read; it was removed.`
      : `  ${paint.red('lost')}   Run ${run} was cut off after entry ${after}; what came later counts no more.`,
    `         ${paint.dim(oneLine(`${file}, line ${line}, byte ${byte}; ${lines} lines kept in ${aside}`))}`,
  ])
  const segments = missing.flatMap((file) => [
    `  ${paint.red('lost')}   A segment is missing; what stood in it is given up.`,
    `         ${paint.dim(oneLine(file))}`,
  ])
  return [...done.map((text) => `  ${paint.green('done')}   ${oneLine(text)}`), ...segments, ...cuts]
}

function ownerLine(owner: StoreInspection['owner']): string {
  if (owner === undefined) return 'No process works in this store.'
  const who = `the process ${owner.pid} on ${owner.host}`
  if (owner.alive === false) return `Its last owner, ${who}, ended without closing it.`
  return owner.alive === true ? `Its owner is ${who}.` : `Its owner is ${who}; whether that still runs cannot be told from here.`
}

function sandboxLine(sandbox: HostInspection['sandbox']): string {
  return sandbox.possible
    ? 'This machine can confine commands: at the trust level sandbox they have no network, and write to nothing but their own folder.'
    : `This machine cannot confine commands, so those at the trust level sandbox are refused: ${sandbox.because}.`
}

function containersLine(containers: HostInspection['containers']): string {
  if (!containers.possible)
    return `This machine cannot run containers, so runs that name a docker host are refused: ${containers.because}.`
  const { runtime, tried } = containers
  return tried
    ? `This machine can run containers, by ${runtime}.`
    : `This machine can probably run containers: ${runtime} answers. There is no image here to try it with.`
}
