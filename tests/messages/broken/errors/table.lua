error {} -- here
