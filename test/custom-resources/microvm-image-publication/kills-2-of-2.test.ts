import { killAtRandom } from './kills';

killAtRandom(2);
