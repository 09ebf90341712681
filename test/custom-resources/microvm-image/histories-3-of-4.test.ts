import { playShare } from './histories';

playShare(3, 4);
