import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { getSubjects, linkSubject, unlinkSubject } from './service.ts'

const Subject = z.object({ subject: line(1, 255), issuer: z.url().optional() })

export const linkSubjectCommand = defineCommand({
  name: 'subject.link',
  input: Subject.extend({ user: line(1, 254), service: z.boolean().optional() }),
  run: linkSubject,
})

export const unlinkSubjectCommand = defineCommand({
  name: 'subject.unlink',
  input: Subject,
  run: unlinkSubject,
})

export const listSubjectsCommand = defineCommand({
  name: 'subject.list',
  input: z.object({}),
  run: getSubjects,
})

export const commands = [linkSubjectCommand, unlinkSubjectCommand, listSubjectsCommand]
