import type { LexXrpcProcedure, LexXrpcQuery } from '@atproto/lexicon'
import { xrpcMethods } from '../../src/app/features.ts'
import type { AnyXrpcMethod } from '../../src/xrpc/define-method.ts'
import { loadValidator } from '../../src/xrpc/validator.ts'
import type { Appliance } from '../harness/boot.ts'
import { didOf } from '../harness/mls-people.ts'

type Definition = LexXrpcQuery | LexXrpcProcedure
type Schema = Record<string, unknown> & { type: string }

export interface Walked {
  readonly method: AnyXrpcMethod
  readonly definition: Definition
}

/** Every method with its lexicon; the subscription responds to GET like a query. */
export async function walkable(): Promise<Walked[]> {
  const validator = await loadValidator()
  return xrpcMethods.map((method) => ({
    method,
    definition: validator.definition(method.nsid) as Definition,
  }))
}

export const isProcedure = (definition: Definition): definition is LexXrpcProcedure =>
  definition.type === 'procedure'
export const takesJson = (definition: Definition): definition is LexXrpcProcedure =>
  isProcedure(definition) && definition.input?.encoding === 'application/json'

/** A value that the schema's type accepts. */
function goodValue(mimir: Appliance, schema: Schema): unknown {
  switch (schema.type) {
    case 'integer':
      return Math.max(Number(schema.minimum ?? 0), 1)
    case 'boolean':
      return true
    case 'bytes':
      return { $bytes: 'AAEC' }
    case 'array':
      return [goodValue(mimir, schema.items as Schema)]
    case 'object':
      return goodObject(mimir, schema as never)
    case 'string': {
      if (schema.format === 'did') return didOf(mimir, { name: 'bob' })
      if (schema.format === 'datetime') return '2030-01-01T00:00:00.000Z'
      const options = schema.enum as string[] | undefined
      return options?.[0] ?? 'ab'.repeat(Math.ceil(Number(schema.minLength ?? 2) / 2))
    }
    default:
      return {}
  }
}

export interface ObjectSchema {
  readonly required?: readonly string[]
  readonly properties: Readonly<Record<string, Schema>>
}

export function goodObject(mimir: Appliance, { required = [], properties }: ObjectSchema): object {
  return Object.fromEntries(
    required.map((name) => [name, goodValue(mimir, properties[name] as Schema)]),
  )
}

export function pathOf(mimir: Appliance, { nsid }: AnyXrpcMethod, definition: Definition): string {
  const parameters = definition.parameters as ObjectSchema | undefined
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters ? goodObject(mimir, parameters) : {})) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  return `/xrpc/${nsid}?${query}`
}
