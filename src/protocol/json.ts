/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** A JSON object; a member that is `undefined` counts as absent. */
export type JsonObject = { readonly [key: string]: Json | undefined }
