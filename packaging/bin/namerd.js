#!/usr/bin/env node
// The `namerd` command.

import { launch } from './launch.js';

await launch('namerd/main');
