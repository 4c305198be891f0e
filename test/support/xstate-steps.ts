import type { AnyActorScope, AnyStateMachine, EventObject } from 'xstate'

/** Steps a machine as XState itself does; undefined when it does not accept the event. */
export function xstateStep(
  machine: AnyStateMachine,
  from: { readonly value: string; readonly context: unknown },
  event: EventObject,
): { readonly value: string; readonly context: unknown } | undefined {
  const snapshot = machine.resolveState({ value: from.value, context: from.context as object, status: 'active' })
  // An accepted self-transition may return the same object, so acceptance is asked, not inferred.
  if (!snapshot.can(event)) return undefined
  const next = machine.transition(snapshot, event, inertScope)
  return { value: next.value as string, context: next.context as unknown }
}

const nothing = (): void => {}

const inertScope = {
  id: 'inert',
  sessionId: 'inert',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  actionExecutor: nothing,
  stopChild: nothing,
  self: { send: nothing, id: 'inert', sessionId: 'inert' },
  system: { _sendInspectionEvent: nothing, _relay: nothing },
} as unknown as AnyActorScope
