import { defineErrors } from '../../platform/errors.ts'

export const nodeErrors = defineErrors({
  nodeNotFound: { code: 'node_not_found', kind: 'not_found', message: 'There is no such node.' },
  edgeNotFound: { code: 'edge_not_found', kind: 'not_found', message: 'There is no such edge.' },
  idTaken: {
    code: 'node_id_taken',
    kind: 'conflict',
    message: 'A node with this id already exists.',
  },
  tooLarge: {
    code: 'properties_too_large',
    kind: 'too_large',
    message: 'The properties of a node or edge may be 48 KiB of JSON at most.',
  },
  full: {
    code: 'well_full',
    kind: 'conflict',
    message: 'The owner’s memory is full: delete some nodes first.',
  },
  locked: {
    code: 'node_locked',
    kind: 'conflict',
    message: 'Another agent is working on this node.',
  },
  notLocked: {
    code: 'node_not_locked',
    kind: 'conflict',
    message: 'This agent does not hold a lock on the node.',
  },
  invalidConfirmation: {
    code: 'invalid_confirmation',
    kind: 'invalid',
    message: 'The confirmation is unknown, used, expired or for another call.',
  },
  invalidCursor: {
    code: 'invalid_cursor',
    kind: 'invalid',
    message: 'The cursor does not belong to this query.',
  },
  keyLost: {
    code: 'node_key_unavailable',
    kind: 'unavailable',
    message: 'The key of these nodes is not on this server.',
  },
})
