import { defineCommand } from '../../control/define-command.ts'
import { ListReports, ReportId } from './schema.ts'
import { getReports, resolveReport } from './service.ts'

export const listReportsCommand = defineCommand({
  name: 'report.list',
  input: ListReports,
  run: getReports,
})

export const resolveReportCommand = defineCommand({
  name: 'report.resolve',
  input: ReportId,
  run: resolveReport,
})

export const commands = [listReportsCommand, resolveReportCommand]
