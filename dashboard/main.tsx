import { render } from 'preact';
import { makeBrowser } from './browser.ts';
import { makeLiveRoom } from './live/live-room.ts';
import { ControlRoom } from './view/control-room.tsx';

const place = document.getElementById('room');
// What stands there until the page can be drawn is replaced.
place?.replaceChildren();
if (place !== null) render(<ControlRoom room={makeLiveRoom(makeBrowser())} />, place);
