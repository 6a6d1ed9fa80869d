import { z } from 'zod'

/** The subset of JSON Schema that our schemas convert to. */
interface JsonSchema {
  /** Several if a plain value may also be null. */
  readonly type?: string | readonly string[]
  readonly examples?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

export interface Field {
  readonly name: string
  readonly required: boolean
  /** Accepts only UUIDs, or text in another strict form. */
  readonly isId: boolean
  readonly isText: boolean
  readonly good: unknown
  /** Values of a wrong type, length or form. */
  readonly bad: readonly unknown[]
}

export const ID = '01900000-0000-7000-8000-00000000abcd'

/** Text that a store or decoder may stumble over, as JSON carries it. */
export const HOSTILE = ['\0', 'a\0b', '\ud800', '\udc00x', '\u2028', "' or 1=1 --", '%00', '🧨']

const SAMPLES: readonly unknown[] = [null, true, 42, 1.5, 'text', ['text'], { text: 'text' }]

/** The fields of an object schema, as clients may send them. */
export function fieldsOf(schema: z.ZodType | undefined): Field[] {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchemaOf(schema)
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    isId: field.format === 'uuid' || field.pattern !== undefined,
    isText: variants(field).some((variant) => variant.type === 'string'),
    good: good(field),
    bad: bad(field),
  }))
}

/** The same for a single value, such as an argument of a hub method. */
export function valuesOf(schema: z.ZodType): Pick<Field, 'good' | 'bad'> {
  const field = jsonSchemaOf(schema)
  return { good: good(field), bad: bad(field) }
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
}

function variants(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf, type } = schema
  if (anyOf) return anyOf
  return Array.isArray(type) ? type.map((one) => ({ ...schema, type: one })) : [schema]
}

function good(schema: JsonSchema): unknown {
  const [first = {}] = variants(schema)
  if (schema.examples) return schema.examples[0]
  if (first.enum) return first.enum[0]
  switch (first.type) {
    case 'string':
      return textFor(first)
    case 'number':
    case 'integer':
      return first.minimum ?? 1
    case 'boolean':
      return true
    case 'array':
      return [good(first.items ?? {})]
    case 'object':
      return {}
    default:
      throw new Error(`no value for ${JSON.stringify(schema)}`)
  }
}

function textFor({ format, minLength = 0 }: JsonSchema): string {
  if (format === 'uuid') return ID
  if (format === 'date-time') return '2026-01-02T03:04:05.678Z'
  return 'abcdefgh12'.padEnd(minLength, 'x')
}

function bad(schema: JsonSchema): unknown[] {
  const wrongTypes = SAMPLES.filter((sample) => !variants(schema).some((one) => takes(one, sample)))
  return [...wrongTypes, ...variants(schema).flatMap(broken)]
}

function takes({ type }: JsonSchema, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'integer':
    case 'number':
      return typeof value === 'number'
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === type
  }
}

/** Values of the right type that break a rule. */
function broken(schema: JsonSchema): unknown[] {
  const values: unknown[] = []
  if (schema.minLength) values.push('', 'x'.repeat(schema.minLength - 1))
  if (schema.maxLength !== undefined) values.push('x'.repeat(schema.maxLength + 1))
  if (schema.format === 'uuid') values.push(`${ID}0`, ID.slice(1), `{${ID}}`, ID.replace('0', 'g'))
  if (schema.format === 'date-time') values.push('yesterday', '2026-02-30T00:00:00Z')
  if (schema.pattern || schema.enum) values.push('not this!')
  if (schema.type === 'integer') values.push(1.5)
  if (schema.minimum !== undefined) values.push(schema.minimum - 1)
  if (schema.maximum !== undefined) values.push(schema.maximum + 1)
  if (schema.items) values.push(...bad(schema.items).map((item) => [item]))
  if (schema.properties) {
    for (const [name, field] of Object.entries(schema.properties)) {
      values.push(...bad(field).map((value) => ({ [name]: value })))
    }
  }
  return values
}
