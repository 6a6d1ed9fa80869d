import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line, text, uuid } from '../../platform/text.ts'
import { closeIncident, getIncidents, openIncident } from './incidents.ts'
import { liftLockdown, startLockdown } from './lockdown.ts'

const startLockdownCommand = defineCommand({
  name: 'lockdown.start',
  input: z.object({ mode: z.enum(['closed', 'read-only']).default('closed') }),
  run: startLockdown,
})

const liftLockdownCommand = defineCommand({
  name: 'lockdown.lift',
  input: z.object({}),
  run: liftLockdown,
})

const openIncidentCommand = defineCommand({
  name: 'incident.open',
  input: z.object({ title: line(1, 200) }),
  run: openIncident,
})

const closeIncidentCommand = defineCommand({
  name: 'incident.close',
  input: z.object({ id: uuid, conclusion: text(1, 2000) }),
  run: closeIncident,
})

const listIncidentsCommand = defineCommand({
  name: 'incident.list',
  input: z.object({}),
  run: getIncidents,
})

export const commands = [
  startLockdownCommand,
  liftLockdownCommand,
  openIncidentCommand,
  closeIncidentCommand,
  listIncidentsCommand,
]
