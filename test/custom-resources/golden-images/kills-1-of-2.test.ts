import { playShare } from './kills';

playShare(1, 2);
