#!/usr/bin/env node
// The `namerctl` command.

import { launch } from './launch.js';

await launch('namerd/ctl/main');
