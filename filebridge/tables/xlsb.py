class Xlsb: pass
