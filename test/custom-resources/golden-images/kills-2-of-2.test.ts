import { playShare } from './kills';

playShare(2, 2);
