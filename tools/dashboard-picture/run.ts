import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawDashboard } from './picture';
import { sampleDashboard } from './sample-dashboard';

writeFileSync(join(__dirname, '..', '..', 'docs', 'dashboard.svg'), drawDashboard(sampleDashboard()));
