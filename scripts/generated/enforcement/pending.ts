/**
 * Fields of the contract that have no row yet, by what is missing. Whoever gives one a row takes it out: the test of the document holds
 * the list to exactly the fields without a row. Today none is missing.
 */
export const pendingFields: Readonly<Record<string, readonly string[]>> = {}
