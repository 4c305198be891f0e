/** The environment variables of the fleet's process. */
export interface Environment {
  get(name: string): string | undefined
}
