import type {
  Lexicons,
  LexXrpcProcedure,
  LexXrpcQuery,
  LexXrpcSubscription,
} from '@atproto/lexicon'
import { AppError } from '../platform/errors.ts'
import { isStorable } from '../platform/text.ts'
import { xrpcErrors } from './errors.ts'

type Definition = LexXrpcQuery | LexXrpcProcedure | LexXrpcSubscription

/** Reads and checks what goes in and out by our lexicons. */
export interface Validator {
  definition(nsid: string): Definition
  /** The parameters of a query string, typed as the lexicon has them. Throws `InvalidRequest`. */
  params(nsid: string, search: URLSearchParams): object
  /** A JSON body as a value with bytes. Throws `InvalidRequest`. */
  input(nsid: string, json: unknown): object
  /** A value as JSON; with `check` one that breaks the lexicon is a defect. */
  output(nsid: string, value: object, check: boolean): unknown
  /** The same for an event of a subscription. */
  event(nsid: string, type: string, value: object, check: boolean): unknown
  /** Whether the lexicon names the error among the method's own. */
  declares(nsid: string, error: string): boolean
}

let loaded: Promise<Validator> | undefined

/** Loaded when the first request comes: most servers of other use never need it. */
export function loadValidator(): Promise<Validator> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Validator> {
  const [library, { lexicons: documents }] = await Promise.all([
    import('@atproto/lexicon'),
    import('../../lexicons/index.ts'),
  ])
  const { jsonToLex, lexToJson, ValidationError } = library
  const lexicons: Lexicons = new library.Lexicons(
    documents as unknown as ConstructorParameters<typeof library.Lexicons>[0],
  )
  const definition = (nsid: string) => lexicons.getDefOrThrow(nsid) as Definition
  const refused = <T>(check: () => T): T => {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      throw new AppError({ ...xrpcErrors.invalidRequest, message: error.message })
    }
  }
  const asJson = (value: object) => lexToJson(value as Parameters<typeof lexToJson>[0])
  const asLex = (value: unknown) => jsonToLex(value as Parameters<typeof jsonToLex>[0])

  return {
    definition,
    params(nsid, search) {
      const types = definition(nsid).parameters?.properties ?? {}
      const read = Object.entries(types).flatMap(([name, type]) => {
        const values = search.getAll(name)
        if (values.length === 0) return []
        if (type.type === 'array') return [[name, values.map((text) => asType(type.items, text))]]
        // Given twice it stays a list, which no type takes: there is no telling which one counts.
        return [[name, values.length === 1 ? asType(type, values[0] as string) : values]]
      })
      requireStorable(Object.fromEntries(read))
      return refused(() => lexicons.assertValidXrpcParams(nsid, Object.fromEntries(read))) ?? {}
    },
    input(nsid, json) {
      // The library takes a list for an object without required fields.
      if (Array.isArray(json)) throw new AppError(xrpcErrors.invalidRequest)
      requireStorable(json)
      return refused(() => lexicons.assertValidXrpcInput(nsid, asLex(json))) as object
    },
    output(nsid, value, check) {
      const json = asJson(value)
      if (check) lexicons.assertValidXrpcOutput(nsid, asLex(JSON.parse(JSON.stringify(json))))
      return json
    },
    event(nsid, type, value, check) {
      const json = asJson(value)
      const typed = { $type: `${nsid}#${type}`, ...(JSON.parse(JSON.stringify(json)) as object) }
      if (check) lexicons.assertValidXrpcMessage(nsid, asLex(typed))
      return json
    },
    declares: (nsid, error) => (definition(nsid).errors ?? []).some(({ name }) => name === error),
  }
}

/** Deeper than any lexicon of ours. */
const MOST_DEPTH = 16

/** Refuses text that no store gives back as it came, and what is nested beyond all sense. */
function requireStorable(value: unknown, depth = 0): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw new AppError(xrpcErrors.invalidRequest)
  } else if (typeof value === 'object' && value !== null) {
    if (depth > MOST_DEPTH) throw new AppError(xrpcErrors.invalidRequest)
    for (const [name, inner] of Object.entries(value)) {
      requireStorable(name)
      requireStorable(inner, depth + 1)
    }
  }
}

/** A parameter's text as its type, or as it stands where it is none: the lexicon then refuses it. */
function asType({ type }: { readonly type: string }, text: string): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}
