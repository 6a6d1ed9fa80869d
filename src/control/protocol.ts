/** One request and one response per connection, each a single line of JSON. */
export interface ControlRequest {
  readonly command: string
  readonly input: unknown
}

export type ControlResponse =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false
      readonly error: string
      readonly message: string
      readonly details: Readonly<Record<string, unknown>>
    }

/** Longest request, in characters. */
export const MAX_REQUEST = 16 * 1024 * 1024
