/** Why a request is refused, and the status that says so. */
const statuses = {
  invalid_request: 400,
  not_found: 404,
  unknown_session: 404,
  method_not_allowed: 405,
  out_of_order: 409,
  replaced: 409,
  too_large: 413,
  too_many_sessions: 503,
  fleet_closed: 503,
} as const

export type RequestRefusal = keyof typeof statuses

/** Answers with JSON. Nothing of it may be kept by anybody on the way. */
export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}

/** Answers `{ error: { code, message } }`, with the status of the code. */
export function refuse(code: RequestRefusal, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return answer(statuses[code], { error: { code, message } }, headers)
}
